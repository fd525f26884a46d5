"""Which chunks of other files help a completion: arms that filter them differently."""
