"""Evidence shown: evidence.json and its schema, the console review, HTML, Markdown, JUnit. Formatters never judge."""
