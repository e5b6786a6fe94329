-- What the Store searches besides: categories and documents. The catalogue is listed by name or by time of publication.
ALTER TABLE reg_api ADD COLUMN categories TEXT NOT NULL DEFAULT ''; -- '|category|category|'
ALTER TABLE reg_api ADD COLUMN doc_text TEXT NOT NULL DEFAULT '';   -- names, summaries and texts of documents that all readers see
CREATE INDEX reg_api_by_name ON reg_api (LOWER(name), version, id);
CREATE INDEX reg_api_by_publication ON reg_api (published_at, id);
