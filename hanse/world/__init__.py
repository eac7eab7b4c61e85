"""Worlds: simulated towns that live in a district through the public commands, as people would.

==============  ====================================================================================
``demo``        real places, goods and baskets: plain data, no district in it
``load``        brings such data into a district
``keep``        what of it is kept beside the journal, so that a second start need not read it anew
``clock``       the world's time, at most ten times as fast as ours
``provider``    a simulated card provider
``shopping``    which offers of which shops a household takes for what it wants
``acts``        what people of the world do: the public commands, in the form that the writer takes
``shoppers``    households that draw real baskets and order
``staff``       shops that accept, pick and hand over, couriers that deliver
``life``        shoppers, staff and deliveries of goods together, turn by turn
``town``        all of it as the one world that ``hanse demo`` starts
``simulation``  one seed, many commands and crashes: what must hold, checked after every step
==============  ====================================================================================
"""
