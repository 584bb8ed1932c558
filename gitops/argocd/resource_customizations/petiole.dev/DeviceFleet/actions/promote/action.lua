-- What `petiole promote` asks; asked twice of the same state of the object, it is asked once.
local annotations = obj.metadata.annotations or {}
annotations["petiole.dev/request"] = "promote@argocd-" .. obj.metadata.resourceVersion
obj.metadata.annotations = annotations
return obj
