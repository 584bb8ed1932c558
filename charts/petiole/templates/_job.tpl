{{- /* What Pods of the Job runner have in common: a PodTemplateSpec. */}}
{{- define "petiole.jobTemplate" -}}
spec:
  {{- with .Values.runner.job.serviceAccountName }}
  serviceAccountName: {{ . }}
  {{- end }}
  enableServiceLinks: false
  {{- include "petiole.pull" . | nindent 2 }}
  {{- include "petiole.placed" .Values.runner.job | nindent 2 }}
  securityContext: {{- toYaml .Values.podSecurityContext | nindent 4 }}
  volumes:
  - {name: tmp, emptyDir: {}}
  {{- include "petiole.storeVolume" . | nindent 2 }}
  containers:
  - name: pipeline
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    securityContext: {{- include "petiole.containerSecurity" . | nindent 6 }}
    resources: {{- toYaml .Values.runner.job.resources | nindent 6 }}
    env: [{name: HOME, value: /tmp}]
    {{- include "petiole.storeEnvironment" . | nindent 4 }}
    volumeMounts:
    - {name: tmp, mountPath: /tmp}
    {{- include "petiole.storeMount" . | nindent 4 }}
{{- end }}
