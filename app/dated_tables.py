"""The dated tables of a process: those that ship, and those of its settings."""

from config.degree_days import load_normals
from config.factors import load_factors
from config.populations import load_populations
from config.settings import Settings
from config.tariffs import load_tariffs
from core.region_tables import RegionTables


def region_tables(settings: Settings) -> RegionTables:
    """Return factors, tariffs, populations and normals; raise ConfigError where a table is wrong."""
    tables = settings.tables
    return RegionTables(
        factors=load_factors(tables.factors),
        tariffs=load_tariffs(tables.tariffs),
        populations=load_populations(tables.populations),
        normals=load_normals(tables.degree_days),
        place=tables.place,
    )
