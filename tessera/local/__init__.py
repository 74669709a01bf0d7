"""Local chains: the one inside this process, devnets, and the bots that play on them. Needs the compiler."""
