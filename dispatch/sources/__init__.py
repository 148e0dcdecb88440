"""What other systems send (12345, the video network, digital city management, patrols), as reports.

No database, no clock.

Each source has its form (`forms`): what its fields are called, and which of them names a report for good. The number
that a source knows a report by leads to the report's id, so the same ticket twice is the same report.
"""
