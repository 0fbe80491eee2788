"""The script by which many processes share the places of a rate limit.

pyrate-limiter's Redis store is not used: it trusts the clocks of its clients, admits a burst on top
of the rate in one window, knows no reserve, and names its key and TTL by other rules (ADR 0011).
"""

# KEYS[1]: a sorted set of places; its members are `t` (taken) or `w` (promised), `l` (live) or `b`,
# and the caller's id; its scores are microseconds of the server's clock. Same rules as
# `runtime.places.Places`, same order of its sentences.
#
# ARGV[11...]: pairs of a member and its age in microseconds: what the caller knows to be taken. The
# store may have been flushed, restarted or out of reach, or its clock set; then `known`, the last
# place that the caller took, is missing, and the caller is asked (verdict 3) to say what it knows.
PLACES_LUA = """
local log = KEYS[1]
local id, live, places, background = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
local spacing, window, patience = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local pressing, late, known = ARGV[8] == '1', tonumber(ARGV[9]), ARGV[10]
local between = 1000
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function put(member, at) redis.call('ZADD', log, string.format('%.0f', at), member) end

for i = 11, #ARGV, 2 do
    redis.call('ZADD', log, 'NX', string.format('%.0f', now - ARGV[i + 1]), ARGV[i])
end
redis.call('ZREMRANGEBYSCORE', log, '-inf', string.format('%.0f', now - window - between))
if known ~= '' and not redis.call('ZSCORE', log, known) then return {3, 0, 0} end

local me = (live and 'l:' or 'b:') .. id
local first = not redis.call('ZSCORE', log, 'w:' .. me)
local seen, seen_background, taken_count = {}, {}, 0
local newest, ahead = -math.huge, 0
local all = redis.call('ZRANGE', log, 0, -1, 'WITHSCORES')
for i = 1, #all, 2 do
    local member, at = all[i], tonumber(all[i + 1])
    local taken, theirs_live = member:sub(1, 1) == 't', member:sub(3, 3) == 'l'
    if taken and at > now then
        -- The server's clock went back: nothing was taken later than now.
        at = now
        put(member, now)
    end
    if not taken and (at <= now - late or at > now + 60 * window) then
        redis.call('ZREM', log, member)
    elseif member ~= 'w:' .. me and (taken or (first and not live)
            or (theirs_live and (first or not (live or pressing)))) then
        seen[#seen + 1] = at
        if taken then newest = math.max(newest, at)
        elseif at > now - spacing then ahead = ahead + 1 end
        if not theirs_live then seen_background[#seen_background + 1] = at end
    end
    if taken then taken_count = taken_count + 1 end
end
table.sort(seen)
table.sort(seen_background)

local function free(moments, count)
    if #moments < count then return now end
    return moments[#moments - count + 1] + window + between
end
local at = now
if #seen > 0 and spacing > 0 then
    at = math.max(at, math.max(newest + ahead * spacing, seen[#seen]) + spacing)
end
at = math.max(at, free(seen, places))
if not live then at = math.max(at, free(seen_background, background)) end

redis.call('ZREM', log, 'w:' .. me)
redis.call('PEXPIRE', log, window / 1000)
if at - now > patience then return {2, at - now, taken_count} end
if at > now then put('w:' .. me, at) else put('t:' .. me, now) end
redis.call('PEXPIRE', log, window / 1000)
return {at > now and 1 or 0, at - now, taken_count}
"""
FORGOTTEN = 3
