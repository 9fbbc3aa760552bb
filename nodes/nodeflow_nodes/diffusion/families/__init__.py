"""Model families: how each turns text into conditioning, and how its network is asked."""
