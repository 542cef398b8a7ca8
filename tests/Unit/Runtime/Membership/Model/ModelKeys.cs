using System.Globalization;

namespace Cluster.Unit.Runtime.Membership.Model;

/// <summary>Texts by which equal parts of a state are known.</summary>
internal static class ModelKeys
{
    public static string Of(MembershipView view) => string.Create(
        CultureInfo.InvariantCulture,
        $"{view.Version}{view.Incarnation}[{string.Join(',', view.Entries.Values.Select(static row => $"{row.Silo.Endpoint.Port}.{row.Silo.Generation}{(int)row.Status}"))}]{string.Join(',', view.Unsettled.Select(static silo => $"{silo.Endpoint.Port}.{silo.Generation}"))}");

    public static string Of(GrainAddress? address) =>
        address is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{address.SiloAddress!.Endpoint.Port}.{address.SiloAddress.Generation}#{address.ActivationId.Key}e{address.LoadEpoch}");
}
