using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository;

/// <summary>
/// What becomes of a change that one silo's repository shows, by what the others' hold. A folder may be empty because its mount failed, or stale because its replica
/// is late. So no silo's folder decides alone about what others serve. Pure.
/// </summary>
/// <param name="Taken">Models with a change that is carried out.</param>
/// <param name="HeldBack">Models that stay as they are until the repositories agree.</param>
/// <param name="Outvoted">Those held back of which most silos hold something else than the silo that asked: its repository is the wrong one.</param>
internal sealed record RepositoryVote(ImmutableArray<string> Taken, ImmutableArray<string> HeldBack, ImmutableArray<string> Outvoted)
{
    /// <summary>A removal needs the agreement of all, other content that of more than half of the silos that answered.</summary>
    /// <param name="models">The models in question.</param>
    /// <param name="mine">The asking silo's fingerprints, null where it holds none; in the order of the models.</param>
    /// <param name="others">Those of each other silo that answered.</param>
    public static RepositoryVote Count(ImmutableArray<string> models, ImmutableArray<string?> mine, IReadOnlyList<ImmutableArray<string?>> others)
    {
        var taken = ImmutableArray.CreateBuilder<string>();
        var heldBack = ImmutableArray.CreateBuilder<string>();
        var outvoted = ImmutableArray.CreateBuilder<string>();
        for (var model = 0; model < models.Length; model++)
        {
            var against = others.Count(other => other[model] != mine[model]);
            if (mine[model] is null ? against == 0 : 2 * against < others.Count + 1)
            {
                taken.Add(models[model]);
                continue;
            }

            heldBack.Add(models[model]);
            if (2 * against > others.Count + 1)
            {
                outvoted.Add(models[model]);
            }
        }

        return new RepositoryVote(taken.DrainToImmutable(), heldBack.DrainToImmutable(), outvoted.DrainToImmutable());
    }

    /// <summary>Equal for equal content and settings, wherever the files are.</summary>
    public static string? Fingerprint(ModelRegistration? registration)
    {
        if (registration is null)
        {
            return null;
        }

        var text = new StringBuilder(registration.SettingsRevision).Append('|').Append(registration.Problem is null);
        foreach (var source in registration.Versions)
        {
            text.Append('|').Append(source.Version).Append(':').Append(source.Revision);
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 16));
    }
}
