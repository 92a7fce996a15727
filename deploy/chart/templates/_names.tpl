{{- /* The name of everything; a Service's is 63 characters at most, and others add to this one. */ -}}
{{- define "hardener.name" -}}
{{- $release := .Release.Name -}}
{{- if not (contains "hardener" $release) -}}
{{- $release = printf "%s-hardener" $release -}}
{{- end -}}
{{- .Values.fullnameOverride | default $release | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "hardener.webhookConfiguration" -}}
{{- .Values.webhook.name | default (printf "zz-%s" (include "hardener.name" .)) -}}
{{- end -}}

{{- define "hardener.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "hardener.name" .) -}}
{{- end -}}

{{- define "hardener.tlsSecret" -}}
{{- .Values.tls.secretName | default (printf "%s-tls" (include "hardener.name" .)) -}}
{{- end -}}

{{- define "hardener.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What a Deployment selects by can never change, so that no version stands in it. */ -}}
{{- define "hardener.selectorLabels" -}}
app.kubernetes.io/name: hardener
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hardener.labels" -}}
{{ include "hardener.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") }}
{{- end -}}

{{- /* The CronJob that looks for what slipped through; the name of one is 52 characters at most. */ -}}
{{- define "hardener.scan" -}}
{{- printf "%s-scan" (include "hardener.name" . | trunc 47 | trimSuffix "-") -}}
{{- end -}}

{{- /* Other ones than those by which the Service chooses the pods that answer. */ -}}
{{- define "hardener.scanLabels" -}}
app.kubernetes.io/name: hardener-scan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
