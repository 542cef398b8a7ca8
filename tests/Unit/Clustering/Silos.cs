using System.Net;

namespace Cluster.Unit.Clustering;

/// <summary>Addresses for tests.</summary>
internal static partial class Silos
{
    public static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly SiloAddress A = At(1);
    public static readonly SiloAddress B = At(2);
    public static readonly SiloAddress C = At(3);

    public static SiloAddress At(int number, int generation = 1) => SiloAddress.New(IPAddress.Loopback, 1000 + number, generation);
}
