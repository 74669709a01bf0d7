"""What moved and what came of it: the ledger, profit and loss, yields."""
