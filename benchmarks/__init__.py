"""Gas of every external function, on the embedded chain (a snapshot) and on anvil (beside the peers' figures)."""
