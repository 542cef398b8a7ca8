using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Cluster.Contracts.Models;

/// <summary>The key of an <see cref="IModelReplicaGrain"/>: one replica of one version of a model, <c>name/version/number@silo</c>.</summary>
/// <param name="Model">The model's name; never contains a slash.</param>
/// <param name="Version">At least 1.</param>
/// <param name="Number">At least 0. Given out once: a reference to a replica that has ended never meets another.</param>
/// <param name="Silo">The silo that holds the replica, or no silo does; in the key in its parsable form.</param>
[GenerateSerializer, Immutable, Alias("model-replica-id")]
public readonly record struct ModelReplicaId(
    [property: Id(0)] string Model, [property: Id(1)] long Version, [property: Id(2)] int Number, [property: Id(3)] SiloAddress Silo)
{
    /// <summary>Reads the form that <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string key, out ModelReplicaId id)
    {
        id = default;
        var at = key.IndexOf('@', key.LastIndexOf('/') + 1);
        if (at < 0
            || key[..at].Split('/') is not [{ Length: > 0 } model, var versionText, var numberText]
            || !long.TryParse(versionText, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            || version < 1
            || !int.TryParse(numberText, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !TryParseSilo(key[(at + 1)..], out var silo))
        {
            return false;
        }

        id = new ModelReplicaId(model, version, number, silo);
        if (id.ToString() != key)
        {
            // Another spelling of the same replica would be another grain.
            id = default;
            return false;
        }

        return true;
    }

    /// <summary>The grain key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Model}/{Version}/{Number}@{Silo.ToParsableString()}");

    private static bool TryParseSilo(string text, [NotNullWhen(true)] out SiloAddress? silo)
    {
        try
        {
            silo = SiloAddress.FromParsableString(text);
            return true;
        }
        catch (Exception exception) when (exception is FormatException or OverflowException or ArgumentException)
        {
            silo = null;
            return false;
        }
    }
}
