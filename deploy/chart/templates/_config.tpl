{{- /* The policies that a configuration file cannot change, and which therefore ask for no reason. */ -}}
{{- define "hardener.builtIn" -}}
{{- list "observe" "compatible" "standard" | toJson -}}
{{- end -}}

{{- /* The policy that stands for a name in the values: (list $ name key); key is where it is said. */ -}}
{{- define "hardener.policy" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $builtIn := include "hardener.builtIn" $root | fromJsonArray -}}
{{- $known := concat (list "none") $builtIn (keys $root.Values.config.policies | sortAlpha) -}}
{{- if not (has $name $known) -}}
{{- fail (printf "%s: there is no policy %q; known are %s" (index . 2) $name (join ", " $known)) -}}
{{- end -}}
{{- if and $root.Values.config.requireReason (has $name $builtIn) -}}
{{- $name -}}-with-reason
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{- /* config.yaml, made of defaultPolicy and config. */ -}}
{{- define "hardener.config" -}}
{{- $config := .Values.config -}}
{{- $builtIn := include "hardener.builtIn" . | fromJsonArray -}}
{{- $policies := dict -}}
{{- if $config.requireReason -}}
{{- range $builtIn -}}
{{- $_ := set $policies (printf "%s-with-reason" .) (dict "extends" . "optOut" (dict "requireReason" true)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $own := $config.policies -}}
{{- if has $name (append $builtIn "none") -}}
{{- fail (printf "config.policies.%s: is the name of a built-in policy; choose another, and extend this one" $name) -}}
{{- end -}}
{{- $extends := include "hardener.policy" (list $ ($own.extends | default "standard") (printf "config.policies.%s.extends" $name)) -}}
{{- $_ := set $policies $name (merge (dict "extends" $extends) $own) -}}
{{- end -}}
{{- $selectable := list -}}
{{- $labelled := list -}}
{{- range $config.selectable -}}
{{- $policy := include "hardener.policy" (list $ . "config.selectable") -}}
{{- if eq $policy . -}}
{{- $selectable = append $selectable . -}}
{{- else -}}
{{- $labelled = append $labelled . -}}
{{- end -}}
{{- end -}}
# Made of the values of the chart. hardener reads it again when it changes; `hardener config check` names what is wrong.
apiVersion: hardener.dev/v1
kind: HardenerConfig
{{- with $policies }}

policies:
{{- if $config.requireReason }}
  # What is built in cannot be changed, and asks for no reason: these do.
{{- end }}
{{- toYaml . | nindent 2 }}
{{- end }}

namespaces:
# The API server does not ask about these.
- names:
  {{- range concat .Values.webhook.excludedNamespaces (list .Release.Namespace) | uniq }}
  - {{ . }}
  {{- end }}
  policy: none
{{- if $labelled }}
# What a namespace chooses: kubectl label namespace shop hardener.dev/policy={{ index $labelled 0 }}
{{- range $labelled }}
- matchLabels: {hardener.dev/policy: {{ . }}}
  policy: {{ include "hardener.policy" (list $ . "config.selectable") }}
{{- end }}
{{- end }}
{{- range $index, $rule := $config.namespaces }}
{{- $policy := include "hardener.policy" (list $ $rule.policy (printf "config.namespaces[%d].policy" $index)) }}
{{ toYaml (list (merge (dict "policy" $policy) $rule)) }}
{{- end }}

# All others.
default: {{ include "hardener.policy" (list . .Values.defaultPolicy "defaultPolicy") }}
{{- with $selectable }}

# What a namespace may choose by its label hardener.dev/policy, before the rules.
selectable: {{- toYaml . | nindent 0 }}
{{- end }}
{{- with $config.exempt }}

# Who and what is left alone, whatever the policy.
exempt: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $config.templates }}

# Where custom resources hold pod templates.
templates: {{- toYaml . | nindent 0 }}
{{- end }}

# What the API server is told when hardener itself fails on a pod.
onError: {{ $config.onError }}
{{- end -}}
