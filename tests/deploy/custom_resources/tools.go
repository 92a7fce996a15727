//go:build tools

// Package tools names the API types that tools.py has definitions generated from, so that go.mod holds their versions.
package tools

import (
	_ "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
)
