{{- define "petiole.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- /* Labels that choose a part's Pods: (list $ "gateway") */}}
{{- define "petiole.selector" -}}
app.kubernetes.io/name: petiole
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "petiole.labels" -}}
{{ include "petiole.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- /* An image: (list $ .Values.gateway.image) */}}
{{- define "petiole.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := ternary (printf "%s/" $root.Values.image.registry) "" (ne $root.Values.image.registry "") -}}
{{- $tag := $image.tag | default $root.Values.image.tag | default $root.Chart.AppVersion -}}
{{- if $image.digest -}}
{{ $registry }}{{ $image.repository }}@{{ $image.digest }}
{{- else -}}
{{ $registry }}{{ $image.repository }}:{{ $tag }}
{{- end -}}
{{- end }}

{{- define "petiole.pull" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{ toJson . }}
{{- end }}
{{- end }}

{{- /* Where a part's Pods go: .Values.gateway */}}
{{- define "petiole.placed" -}}
{{- with .nodeSelector }}
nodeSelector: {{ toJson . }}
{{- end }}
{{- with .tolerations }}
tolerations: {{ toJson . }}
{{- end }}
{{- with .affinity }}
affinity: {{ toJson . }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "petiole.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- /* A claim's name: (list $ "store" .Values.store.volume) */}}
{{- define "petiole.claim" -}}
{{- default (printf "%s-%s" (include "petiole.name" (index . 0)) (index . 1)) (index . 2).existingClaim -}}
{{- end }}

{{- define "petiole.storeFolder" -}}/var/lib/petiole/store{{- end }}

{{- define "petiole.storeUri" -}}
{{- .Values.store.uri | default (printf "file://%s" (include "petiole.storeFolder" .)) -}}
{{- end }}

{{- define "petiole.storeEnvironment" -}}
{{- with .Values.store.secretName }}
envFrom: [{secretRef: {name: {{ . }}}}]
{{- end }}
{{- end }}

{{- define "petiole.storeMount" -}}
{{- if not .Values.store.uri }}
- {name: store, mountPath: {{ include "petiole.storeFolder" . }}}
{{- end }}
{{- end }}

{{- define "petiole.storeVolume" -}}
{{- if not .Values.store.uri }}
- name: store
  persistentVolumeClaim: {claimName: {{ include "petiole.claim" (list . "store" .Values.store.volume) }}}
{{- end }}
{{- end }}

{{- define "petiole.gatewayUrl" -}}http://{{ include "petiole.name" . }}-gateway:8080{{- end }}

{{- define "petiole.gatewayToken" -}}
- name: PETIOLE_GATEWAY_TOKEN
  valueFrom: {secretKeyRef: {name: {{ .Values.gateway.tokenSecretName }}, key: token}}
{{- end }}

{{- define "petiole.tracing" -}}
{{- with .Values.tracing.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- end }}

{{- /* What no schema can say. */}}
{{- define "petiole.checked" -}}
{{- $v := .Values -}}
{{- if and (gt (int $v.gateway.replicas) 1) (not $v.gateway.database.urlSecretName) -}}
{{- fail "gateway.replicas: more than one gateway needs PostgreSQL: set gateway.database.urlSecretName" -}}
{{- end -}}
{{- if and (not $v.gateway.broker.host) (not $v.mosquitto.enabled) -}}
{{- fail "gateway.broker.host: name the MQTT broker, or set mosquitto.enabled" -}}
{{- end -}}
{{- if and $v.gateway.broker.host $v.mosquitto.enabled -}}
{{- fail "gateway.broker.host: leave it empty with mosquitto.enabled, or the chart's Mosquitto would serve nobody" -}}
{{- end -}}
{{- if and $v.mosquitto.enabled (not $v.gateway.enrolment.authoritySecretName) -}}
{{- fail "mosquitto.enabled: it lets in whom an authority certifies: set gateway.enrolment.authoritySecretName" -}}
{{- end -}}
{{- if and $v.mosquitto.enabled (not $v.gateway.broker.tlsSecretName) -}}
{{- fail "gateway.broker.tlsSecretName: the chart's Mosquitto asks the gateway for a certificate" -}}
{{- end -}}
{{- if and $v.certManager.enabled (not $v.mosquitto.enabled) -}}
{{- fail "certManager.enabled: it certifies the chart's own broker: set mosquitto.enabled, or make gateway.broker.tlsSecretName yourself" -}}
{{- end -}}
{{- if and (eq $v.runner.kind "kfp") (not $v.runner.kfp.url) -}}
{{- fail "runner.kfp.url: runner.kind kfp needs the address of its API" -}}
{{- end -}}
{{- if and (eq $v.runner.kind "kfp") (not $v.store.uri) -}}
{{- fail "store.uri: Pods of KFP do not mount the chart's volume: name an object store" -}}
{{- end -}}
{{- end }}
