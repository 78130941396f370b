"""What a run did, for programs and for people: data, files, a page. It holds no record."""
