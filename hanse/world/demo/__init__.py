"""The demo's district: real streets and shops of central Helsinki, goods and baskets of the Complete Journey.

``build.scenario(seed)`` is the door; ``scenario`` holds what it gives. Everything else makes one part of it:

==============  ====================================================================================
``sources``     where the two data packages keep their files, and on which terms they may be used
``extract``     one pass over the street map: shops, addresses, streets, areas
``hours``       opening hours as written in the map, as minutes of the day
``shops``       which shops take part
``basemap``     the map's layers as compact GeoJSON
``tables``      the checked tables in ``tables/``: titles, categories, assortments, names
``sizes``       American package sizes in metric
``gtin``        article numbers of the in-store range
``brands``      invented brand names
``articles``    articles made of the raw products: title, brand, size, price
``offers``      which shop sells what, at which price, with how much in stock
``households``  shoppers with invented names and a home at a real address
``baskets``     the real baskets, in columns
==============  ====================================================================================

Apart from the places and the purchases everything is invented, and the same seed invents the same.
"""
