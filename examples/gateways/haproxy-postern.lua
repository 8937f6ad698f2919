-- Asks the gateway about a call. It sets txn.postern_allowed for a call that may pass, and answers any other itself.

local IDENTITY = {
  "postern-identity", "x-postern-owner", "x-postern-organization", "x-postern-token", "x-postern-types",
}
-- Headers of one connection, and of the body that is not sent along.
local OWN = { ["connection"] = true, ["content-length"] = true, ["transfer-encoding"] = true, ["te"] = true,
  ["upgrade"] = true, ["keep-alive"] = true, ["expect"] = true }

-- The headers of an answer are lists that begin at 0.
local function first(headers, name)
  local values = headers and headers[name]
  return values and values[0] or nil
end

local function refuse(txn, status, headers, body)
  -- A refused gRPC call has its status in a header. Clients in Go read it only beside an HTTP status of 200.
  if first(headers, "grpc-status") then status = 200 end
  local reply = txn:reply({ status = status })
  for name, values in pairs(headers or {}) do
    if not OWN[name] and name ~= "date" then
      for _, value in pairs(values) do reply:add_header(name, value) end
    end
  end
  reply:set_body(body or "")
  txn:done(reply)
end

core.register_action("postern", { "http-req" }, function(txn, url)
  txn:set_var("txn.postern_allowed", false)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not OWN[name] then
      headers[name] = {}
      for _, value in pairs(values) do table.insert(headers[name], value) end
    end
  end
  -- What is set here, a caller can't write.
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-host"] = { txn.f:req_fhdr("host") or "" }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
  headers["x-forwarded-for"] = { txn.f:src() }
  headers["x-original-method"] = nil
  headers["x-original-uri"] = nil
  headers["host"] = nil

  -- Milliseconds; HAProxy tries four times.
  local answer = core.httpclient():get({ url = url, headers = headers, timeout = 1000 })
  if answer == nil or answer.status == nil or answer.status < 200 then
    refuse(txn, 503)
  elseif answer.status == 200 then
    -- All of them: one that the answer lacks is not the gateway's.
    for _, name in ipairs(IDENTITY) do
      local value = first(answer.headers, name)
      if value == nil then return refuse(txn, 503) end
      txn.http:req_set_header(name, value)
    end
    txn:set_var("txn.postern_allowed", true)
  else
    refuse(txn, answer.status, answer.headers, answer.body)
  end
end, 1)
