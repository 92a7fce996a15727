{{- /* What both webhooks have in common: (list $ path). */ -}}
{{- define "hardener.webhook" -}}
{{- $root := index . 0 -}}
sideEffects: None
admissionReviewVersions: [v1]
timeoutSeconds: {{ $root.Values.webhook.timeoutSeconds }}
matchPolicy: Equivalent
clientConfig:
  service: {namespace: {{ $root.Release.Namespace }}, name: {{ include "hardener.name" $root }}, path: {{ index . 1 }}, port: 443}
  {{- if and (eq $root.Values.tls.source "secret") $root.Values.tls.caBundle }}
  caBundle: {{ $root.Values.tls.caBundle | b64enc }}
  {{- end }}
namespaceSelector:
  {{- with $root.Values.webhook.namespaceSelector.matchLabels }}
  matchLabels: {{- toYaml . | nindent 4 }}
  {{- end }}
  matchExpressions:
  # What the cluster itself needs, and hardener, which could not start while it waits for itself. Nobody can take this
  # label from a namespace.
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{- concat $root.Values.webhook.excludedNamespaces (list $root.Release.Namespace) | uniq | toYaml | nindent 4 }}
  {{- with $root.Values.webhook.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "hardener.webhookAnnotations" -}}
{{- if eq .Values.tls.source "cert-manager" -}}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ include "hardener.name" . }}
{{- end }}
{{- end -}}
