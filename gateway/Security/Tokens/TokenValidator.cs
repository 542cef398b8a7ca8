using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Cluster.Gateway.Security.Tokens;

/// <summary>
/// Finds out whom a signed token names. A signature that was found good is remembered until the token ends or the keys change: checking one takes longer than
/// a small request.
/// </summary>
internal sealed class TokenValidator(TokenOptions options, TimeProvider time)
{
    private const int MaxToken = 16 << 10;

    /// <summary>When so many are remembered, all are forgotten: simple, and far above the tokens that are in use at once.</summary>
    private const int MaxRemembered = 10_000;

    private readonly JsonWebTokenHandler _handler = new() { MapInboundClaims = false, MaximumTokenSizeInBytes = MaxToken };
    private volatile State? _state;
    private long _taken;

    /// <summary>Called, on any thread, when a token is signed by an unknown key. The key set does not have it, or there is no set yet.</summary>
    public Action? KeyIsUnknown { get; set; }

    /// <summary>When the keys in force were read, or found to be still those of their issuer; null without keys.</summary>
    public DateTimeOffset? KeysTaken => _state is null ? null : new DateTimeOffset(Interlocked.Read(ref _taken), TimeSpan.Zero);

    /// <summary>Says that the keys in force are still those of their issuer.</summary>
    public void Confirm() => Interlocked.Exchange(ref _taken, time.GetUtcNow().Ticks);

    /// <summary>Takes the keys of a JSON Web Key Set in place of those before.</summary>
    /// <exception cref="ArgumentException">It is none, or has no key that signs.</exception>
    public void Use(string keySet)
    {
        var keys = new JsonWebKeySet(keySet).GetSigningKeys();
        if (keys.Count == 0)
        {
            throw new ArgumentException("it has no public key for signatures");
        }

        Confirm();
        _state = new State(new TokenValidationParameters
        {
            IssuerSigningKeys = keys,
            ValidIssuer = options.Issuer,
            ValidAudience = options.Audience,
            ValidAlgorithms = options.Algorithms.Split(','),
            ClockSkew = options.ClockSkew,
            RequireExpirationTime = true,
            RequireSignedTokens = true,
            RequireAudience = true,
            TryAllIssuerSigningKeys = true,
            LifetimeValidator = (notBefore, expires, _, parameters) =>
                time.GetUtcNow().UtcDateTime is var now && expires > now - parameters.ClockSkew && (notBefore ?? DateTime.MinValue) <= now + parameters.ClockSkew,
        });
    }

    /// <summary>The subject of a good token; null for any other, and why for the log.</summary>
    public async ValueTask<(string? Subject, string Reason)> ValidateAsync(string token)
    {
        if (token.Length > MaxToken)
        {
            return (null, "it is too long");
        }

        if (_state is not { } state)
        {
            // Its key may be at the issuer by now, which was away.
            KeyIsUnknown?.Invoke();
            return (null, "no tokens are taken");
        }

        var hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
        if (state.Good.TryGetValue(hash, out var good) && good.Until > time.GetUtcNow().UtcDateTime)
        {
            return (good.Subject, "");
        }

        var result = await _handler.ValidateTokenAsync(token, state.Parameters).ConfigureAwait(false);
        if (!result.IsValid)
        {
            if (result.Exception is SecurityTokenSignatureKeyNotFoundException)
            {
                KeyIsUnknown?.Invoke();
            }

            return (null, result.Exception?.GetType().Name ?? "it is not valid");
        }

        var read = (JsonWebToken)result.SecurityToken;
        if (!read.TryGetPayloadValue<string>(options.Claim, out var subject) || string.IsNullOrEmpty(subject))
        {
            return (null, $"it has no claim '{options.Claim}'");
        }

        if (state.Good.Count >= MaxRemembered)
        {
            state.Good.Clear();
        }

        state.Good[hash] = (subject, read.ValidTo + options.ClockSkew);
        return (subject, "");
    }

    private sealed record State(TokenValidationParameters Parameters)
    {
        public ConcurrentDictionary<string, (string Subject, DateTime Until)> Good { get; } = new(StringComparer.Ordinal);
    }
}
