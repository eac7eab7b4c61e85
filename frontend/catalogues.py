"""Collect the screen texts into the catalogues: ``python frontend/catalogues.py``.

Afterwards the translator fills the empty ``msgstr`` in ``hanse/app/locale/*/LC_MESSAGES/messages.po``.
"""

from hanse.app import i18n

if __name__ == "__main__":
    for locale in i18n.LOCALES:
        if locale != i18n.SOURCE:
            i18n.catalogue_path(locale).write_bytes(i18n.updated(locale))
            texts = list(i18n.catalogue(locale))
            print(f"{locale}: {len(texts)} texts, {sum(not text.string for text in texts)} to translate")
