"""What a keeper can do, a file for each kind of step: when it is due, why, what it takes, its transactions, and how one
sees that it is done."""
