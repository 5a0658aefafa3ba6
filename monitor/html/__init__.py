"""Pages: HTML and plain text become title, text, time, issuer, attachments and pictures. Pure: no I/O, no clock.

`dom` parses and turns a tree into text; `main` finds the main text; `head` reads what stands around it; `links` the files and
pictures; `absent` knows pages that are gone or not loaded yet; `page` puts them together. The kind `page` and the reader `html`
are two doors to the same `page.read`.
"""
