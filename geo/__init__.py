"""WHERE: datums, zones, locating, travel, live positions, density. Knows no database, no web, no cases."""
