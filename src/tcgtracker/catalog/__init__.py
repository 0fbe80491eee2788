"""Games, sets, cards, printings and their links. In: catalog records. Out: domain values."""
