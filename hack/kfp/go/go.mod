module petiole.dev/hack/kfp

go 1.25.0

require (
	github.com/argoproj/argo-workflows/v3 v3.6.7
	github.com/kubeflow/pipelines v0.0.0-20250902140602-fc3214d4b4d3
)

require google.golang.org/protobuf v1.36.6 // indirect

replace (
	github.com/argoproj/argo-workflows/v3 => ../argo
	github.com/kubeflow/pipelines/api => ../api
	github.com/kubeflow/pipelines/kubernetes_platform => ../kubernetes_platform
)

exclude github.com/mitchellh/osext v0.0.0-20151018003038-5e2d6d41470f
