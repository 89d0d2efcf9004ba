"""One module a source, named as its manifest's `adapter`; each exports `ADAPTER`."""
