"""Finding products by words.

Question: Which products do these words mean, in any of the catalogue's languages?
Engine: none
Method: BM25 over stemmed titles, brands and categories (Tantivy, in memory); every word must occur, the
    last one may be unfinished; else they may stand inside longer words, else some are enough, give or take a letter
Reads: market.products_listed
Records: nothing
Limits: built at the start, about 0.1 ms a product; 1,000 results
Not for: what a person may like (marketing.profiles); what is in stock (supply.stock)
"""

from hanse.market.search.index import ProductIndex

__all__ = ["ProductIndex"]
