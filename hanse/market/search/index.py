"""The index of products, in memory: made at the start from the catalogue, kept up with what is listed later."""

import re
from collections.abc import Iterable

import tantivy

from hanse.market.catalogue.views import Product

__all__ = ["WORDS_MAX", "ProductIndex"]

WORDS_MAX = 12
WORD_LENGTH_MAX = 40
HEAP_BYTES = 32_000_000
TITLES = ("title_en", "title_de")
_WORD = re.compile(r"\w+")
_FOLD = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "å": "a", "é": "e", "è": "e", "ß": "ss"})


class ProductIndex:
    """Products by their words, and by GTIN."""

    def __init__(self) -> None:
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("product_id", stored=True, tokenizer_name="raw")
        schema.add_text_field("title_en", tokenizer_name="english")
        schema.add_text_field("title_de", tokenizer_name="german")
        schema.add_text_field("words", tokenizer_name="folded")
        self._index = tantivy.Index(schema.build())
        for name, steps in _ANALYZERS.items():
            builder = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
            for step in steps:
                builder = builder.filter(step)
            self._index.register_tokenizer(name, builder.build())
        self._writer = self._index.writer(HEAP_BYTES, 1)
        self._gtins: dict[str, str] = {}

    def take_in(self, products: Iterable[Product]) -> int:
        """Enter products, or enter them anew; returns how many."""
        count = 0
        for product in products:
            self._gtins[product.gtin] = product.product_id
            self._writer.delete_documents_by_term("product_id", product.product_id)
            words = f"{product.title_en} {product.title_de} {product.brand} {product.category} {product.gtin}"
            self._writer.add_document(
                tantivy.Document(
                    product_id=product.product_id,
                    title_en=product.title_en,
                    title_de=product.title_de,
                    words=words,
                )
            )
            count += 1
        self._writer.commit()
        self._index.reload()
        return count

    def by_gtin(self, gtin: str) -> str:
        """The product with this GTIN; empty if there is none."""
        return self._gtins.get(gtin, "")

    def search(self, text: str, *, limit: int) -> list[str]:
        """Ids of the products that the words mean, the best match first."""
        words = [word.lower().translate(_FOLD)[:WORD_LENGTH_MAX] for word in _WORD.findall(text)[:WORDS_MAX]]
        if not words:
            return []
        for query in (self._all_of(words), self._inside(words), self._some_of(words)):
            found = self._run(query, limit)
            if found:
                return found
        return []

    def _all_of(self, words: list[str]) -> tantivy.Query:
        """Every word occurs; the last may be the beginning of one. Whole words in a title count more."""
        must = [(tantivy.Occur.Must, self._word(word)) for word in words[:-1]]
        begun = tantivy.Query.regex_query(self._index.schema, "words", re.escape(words[-1]) + ".*")
        last = tantivy.Query.boolean_query([(tantivy.Occur.Should, q) for q in (self._word(words[-1]), begun)])
        parsed, _ = self._index.parse_query_lenient(" ".join(words), list(TITLES))
        return tantivy.Query.boolean_query([*must, (tantivy.Occur.Must, last), (tantivy.Occur.Should, parsed)])

    def _inside(self, words: list[str]) -> tantivy.Query:
        """Every word occurs inside another: German writes rye bread as one, Roggenbrot."""
        patterns = [rf".*{word}.*" if len(word) > 3 else word for word in words]
        inside = [tantivy.Query.regex_query(self._index.schema, "words", pattern) for pattern in patterns]
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in inside])

    def _some_of(self, words: list[str]) -> tantivy.Query:
        """Some of the words occur, give or take a letter in the longer ones."""
        near = [
            tantivy.Query.fuzzy_term_query(self._index.schema, "words", word, 1, True)
            for word in words
            if len(word) > 3
        ]
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, q) for q in (*near, *map(self._word, words))])

    def _word(self, word: str) -> tantivy.Query:
        """A word as it stands, or by its stem in one of the languages."""
        plain = tantivy.Query.term_query(self._index.schema, "words", word)
        stemmed, _ = self._index.parse_query_lenient(word, list(TITLES))
        return tantivy.Query.boolean_query([(tantivy.Occur.Should, plain), (tantivy.Occur.Should, stemmed)])

    def _run(self, query: tantivy.Query, limit: int) -> list[str]:
        searcher = self._index.searcher()
        hits = searcher.search(query, limit, count=False).hits
        return [str(searcher.doc(address)["product_id"][0]) for _, address in hits]


_ANALYZERS = {
    "english": (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("english")),
    "german": (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer("german")),
    "folded": (tantivy.Filter.lowercase(), tantivy.Filter.ascii_fold()),
}
