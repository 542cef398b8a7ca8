using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;
using Cluster.Gateway.Security.Tokens;

namespace Cluster.Gateway.Security;

/// <summary>Who may send requests.</summary>
[Section("Access")]
public sealed class AccessOptions
{
    /// <summary>A file of clients and rules, <c>access.json</c>; null, the default, asks nothing of clients.</summary>
    [SetBy("Cluster:Access")]
    public string? File { get; set; }

    /// <summary>
    /// Registered models among those that a client may change, where its entry has no <c>registered_models</c>, 0 to 1,000,000. Default 10,000. More lets one client
    /// fill the registry and, by requests for its models, evict those of others.
    /// </summary>
    [Range(0, 1_000_000)]
    public int RegisteredModels { get; set; } = 10_000;

    /// <summary>True, the default: health is open to all. False: only to clients that <see cref="File"/> knows; then probes need a key or a certificate.</summary>
    public bool OpenHealth { get; set; } = true;
}

/// <summary>Signed tokens (JWT) that name clients.</summary>
[Section("Tokens")]
public sealed class TokenOptions : IValidatableObject
{
    /// <summary>A file with the issuer's public keys, a JSON Web Key Set, or its <c>https://</c> address; null, the default, takes no tokens.</summary>
    [SetBy("Cluster:TokenKeys")]
    public string? Keys { get; set; }

    /// <summary>A PEM file with the only trusted authorities for an address in <see cref="Keys"/>, read at the start. Default those of the machine.</summary>
    [Text("a PEM file")]
    public string? KeysCa { get; set; }

    /// <summary>
    /// Time between two reads of an address in <see cref="Keys"/>. Default 5 minutes. Longer accepts tokens longer by a key that its issuer withdrew. A token by a new
    /// key has the address read at once, but at most once in 30 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a read of an address in <see cref="Keys"/> may take, which a start waits for. Default 10 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:01:00")]
    public TimeSpan ReadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>The <c>iss</c> that a token must have; needed with <see cref="Keys"/>.</summary>
    [Text("a name")]
    public string? Issuer { get; set; }

    /// <summary>The <c>aud</c> that a token must have; needed with <see cref="Keys"/>.</summary>
    [Text("a name")]
    public string? Audience { get; set; }

    /// <summary>The algorithms that a token may be signed with, separated by commas; of ES256, ES384, ES512, RS256, RS384, RS512, PS256, PS384 and PS512. Default ES256, RS256, PS256.</summary>
    [RegularExpression(@"(ES|RS|PS)(256|384|512)(,(ES|RS|PS)(256|384|512))*", ErrorMessage = "ES256, RS256 or PS256 and their like, separated by commas")]
    public string Algorithms { get; set; } = "ES256,RS256,PS256";

    /// <summary>The claim that is looked up among the <c>tokens</c> of a client. Default <c>sub</c>.</summary>
    [Text("a name")]
    public string Claim { get; set; } = "sub";

    /// <summary>How much clocks may differ. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (KeysCa is not null && !TokenKeyAddress.IsAddress(Keys))
        {
            yield return new ValidationResult("nothing without an https:// address of keys", [nameof(KeysCa)]);
        }

        if (Keys is not null && string.IsNullOrEmpty(Issuer))
        {
            yield return new ValidationResult("a name, which tokens need", [nameof(Issuer)]);
        }

        if (Keys is not null && string.IsNullOrEmpty(Audience))
        {
            yield return new ValidationResult("a name, which tokens need", [nameof(Audience)]);
        }
    }
}
