"""Why a phone is not provisioned: one engine over steps, and where steps come from."""
