"""The host node of hosted bets: offers the bets of a file, takes players' bets, lands and settles them."""
