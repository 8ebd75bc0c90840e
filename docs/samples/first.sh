#!/bin/sh
# 用法:BASE=http://127.0.0.1:8000 TJ_USER=front TJ_PASSWORD=… sh first.sh
set -eu
TOKEN=$(curl -fsS "$BASE/api/v1/auth/token" -H 'Content-Type: application/json' \
  -d "{\"username\":\"$TJ_USER\",\"password\":\"$TJ_PASSWORD\"}" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -fsS "$BASE/api/v1/auth/principal" -H "Authorization: Bearer $TOKEN"
echo
curl -fsS "$BASE/api/v1/exams?page_size=5" -H "Authorization: Bearer $TOKEN" -H 'Accept-Language: zh'
