using System.ComponentModel.DataAnnotations;
using System.Net;
using Cluster.Gateway.Hosting;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Hosting;

public sealed class AddressHoldsTests : IDisposable
{
    private const int Port = 8001;
    private const string Reason = "stream_reset_limit_exceeded";

    private static readonly IPAddress Bad = IPAddress.Parse("10.0.0.1");

    private readonly ManualTimeProvider _time = new();
    private readonly MetricsHost _metrics = new();
    private readonly FakeLogger<AddressHolds> _log = new();

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public async Task Floods_OfOneAddress_HoldItAloneAndOnItsPortAlone()
    {
        var holds = Holds(3);
        Flood(holds, 2);
        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));

        Flood(holds, 1);

        Assert.Equal(TimeSpan.FromSeconds(1), holds.Refuse(Bad, Port));
        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port + 1));
        Assert.Equal(TimeSpan.Zero, holds.Refuse(IPAddress.Parse("10.0.0.2"), Port));
        Assert.Equal(3241, Assert.Single(_log.Collector.GetSnapshot()).Id.Id);
        var scrape = await _metrics.RenderAsync();
        Assert.Contains("cluster_address_holds 1\n", scrape, StringComparison.Ordinal);
        Assert.Contains("cluster_held_connections 1\n", scrape, StringComparison.Ordinal);
    }

    [Fact]
    public void Floods_LessThanTheNumberInTenSeconds_HoldNothing()
    {
        var holds = Holds(3);
        for (var round = 0; round < 10; round++)
        {
            Flood(holds, 2);
            _time.Advance(TimeSpan.FromSeconds(10.1));
        }

        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
    }

    [Fact]
    public void Holds_EachAfterOneFlood_AreTwiceAsLongUpToTheLongest()
    {
        var holds = Holds(3, longest: 5);
        Flood(holds, 3);
        foreach (var seconds in new[] { 1, 2, 4, 5, 5 })
        {
            Assert.Equal(TimeSpan.FromSeconds(seconds), holds.Refuse(Bad, Port));

            // Of those that were open when it began.
            Flood(holds, 3);
            Assert.Equal(TimeSpan.FromSeconds(seconds), holds.Refuse(Bad, Port));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
            Flood(holds, 1);
        }
    }

    [Fact]
    public void Connections_AfterAHold_ComeOneAfterTheOther()
    {
        var holds = Holds(1);
        Flood(holds, 1);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
        Assert.Equal(TimeSpan.FromSeconds(0.25), holds.Refuse(Bad, Port));
        _time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
    }

    [Fact]
    public void Address_ThatKeptQuiet_BeginsAnew()
    {
        var holds = Holds(3);
        Flood(holds, 3);
        _time.Advance(TimeSpan.FromSeconds(11.1));

        Flood(holds, 2);
        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
        Flood(holds, 1);
        Assert.Equal(TimeSpan.FromSeconds(1), holds.Refuse(Bad, Port));
    }

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("10.0.0.0/8")]
    public void Address_OfAProxyThatIsNamed_IsNeverHeld(string named)
    {
        var holds = Holds(1, never: named);
        Flood(holds, 5);
        holds.Flooded(IPAddress.Parse("::ffff:10.0.0.1"), Port, Reason);

        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
    }

    [Fact]
    public void Zero_HoldsNothing()
    {
        var holds = Holds(0);
        Flood(holds, 100);

        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
    }

    [Theory]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true)]
    [InlineData("2001:db8:0:1::1", "2001:db8:0:2::1", false)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", true)]
    public void Addresses_ThatOneClientHas_AreOne(string flooding, string asking, bool isHeld)
    {
        var holds = Holds(1);
        holds.Flooded(IPAddress.Parse(flooding), Port, Reason);

        Assert.Equal(isHeld, holds.Refuse(IPAddress.Parse(asking), Port) > TimeSpan.Zero);
    }

    [Fact]
    public void Addresses_MoreThanAreKept_AreForgottenOnceTheyKeptQuiet()
    {
        var holds = Holds(1);
        for (var number = 0; number < AddressHolds.MaxAddresses; number++)
        {
            holds.Flooded(new IPAddress(0x0B000000L + number), Port, Reason);
        }

        Flood(holds, 1);
        Assert.Equal(TimeSpan.Zero, holds.Refuse(Bad, Port));
        _time.Advance(TimeSpan.FromSeconds(12));
        Flood(holds, 1);
        Assert.Equal(TimeSpan.FromSeconds(1), holds.Refuse(Bad, Port));
    }

    [Theory]
    [InlineData("proxy")]
    [InlineData("10.0.0.0/33")]
    public void Names_ThatAreNoAddress_AreRefused(string named)
    {
        var options = new LimitOptions { NeverHeld = new HashSet<string> { named } };

        Assert.Contains(named, Assert.Single(options.Validate(new ValidationContext(options))).ErrorMessage, StringComparison.Ordinal);
    }

    private AddressHolds Holds(int floods, int longest = 60, string? never = null) => new(
        new LimitOptions { FloodsBeforeHold = floods, LongestHold = TimeSpan.FromSeconds(longest), NeverHeld = never is null ? new HashSet<string>() : new HashSet<string> { never } },
        _metrics.Registry,
        _time,
        _log);

    private static void Flood(AddressHolds holds, int times)
    {
        for (var flood = 0; flood < times; flood++)
        {
            holds.Flooded(Bad, Port, Reason);
        }
    }
}
