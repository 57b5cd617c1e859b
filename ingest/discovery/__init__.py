"""Discovery: profiles of formats in which devices describe themselves."""
