-- Requests with the credentials of a file in turn: one a line. Made before the load begins.
local requests, at = {}, 0

function init(args)
  for credential in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format('GET', nil, { ['Authorization'] = 'Bearer ' .. credential })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT %d %d %d %d\n', summary.requests, summary.duration, errors.status, broken))
end
