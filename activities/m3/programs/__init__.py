"""The MI programs used, one module per matter: thin typed functions over `M3Client`, no rules."""
