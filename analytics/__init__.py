"""Pure functions of arrays: quality and roll-up of consumption."""
