def test_walk(stage, document):
    ids={o["operationId"] for p in document["paths"].values() for o in p.values()}
    print(sorted(ids-set(stage.seen)))
