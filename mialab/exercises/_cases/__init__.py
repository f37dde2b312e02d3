"""Each chapter's data, independent oracles and cases: a student's sandbox never sees this folder."""
