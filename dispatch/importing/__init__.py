"""A district's own files (Shapefile, GeoPackage, GeoJSON, KML, DXF) made into a district folder; `docs/import.md`."""
