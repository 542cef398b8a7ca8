using System.Collections.Immutable;
using System.Net;
using Cluster.Grains.Placement;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Placement;

public sealed class PlacementPolicyTests
{
    private static readonly PlacementOptions Options = new();

    private static readonly PlacementRequest Request = new() { Model = "m", Version = 1, Bytes = 100 };

    private static readonly Gen<SiloState> AnySilo =
        from used in Gen.Choose(0, 1200)
        from replicas in Gen.Choose(0, 40)
        from idle in Gen.Choose(-1, 1000)
        from requests in Gen.Choose(0, 1000)
        from labels in Gen.SubListOf("cpu", "avx512", "near")
        from draining in Gen.Frequency((5, Gen.Constant(false)), (1, Gen.Constant(true)))
        from capacity in Gen.Elements(50L, 1000, 1000, 2000)
        select Silo(0, used, replicas) with
        {
            Capacity = capacity,
            OldestIdle = idle < 0 ? null : TimeSpan.FromSeconds(idle),
            RequestsPerMinute = requests,
            Labels = [.. labels],
            Draining = draining,
        };

    private static readonly Gen<SiloState[]> AnySilos =
        Gen.ListOf(AnySilo).Select(silos => silos.Select((silo, index) => silo with { Silo = Address(index) }).ToArray());

    private static readonly Gen<PlacementRequest> AnyRequest =
        from bytes in Gen.Choose(1, 1500)
        from forLoad in Gen.Elements(true, false)
        from holders in Gen.SubListOf(Enumerable.Range(0, 6).Select(Address))
        from failed in Gen.SubListOf(Enumerable.Range(3, 6).Select(Address))
        from required in Gen.Frequency((3, Gen.Constant(ImmutableArray<string>.Empty)), (1, Gen.Constant(ImmutableArray.Create("cpu"))))
        from preferred in Gen.Frequency((2, Gen.Constant(ImmutableArray<string>.Empty)), (1, Gen.Constant(ImmutableArray.Create("avx512", "near"))))
        select Request with { Bytes = bytes, ForLoad = forLoad, Holders = [.. holders], Failed = [.. failed], Required = required, Preferred = preferred };

    [Fact]
    public void Choose_Any_NeverTakesASiloThatIsOut() => Check((silos, request, choice) => choice is null || (
        !choice.Draining
        && !request.Holders.Contains(choice.Silo)
        && !request.Failed.Contains(choice.Silo)
        && request.Required.All(choice.Labels.Contains)
        && choice.Capacity >= request.Bytes));

    [Fact]
    public void Choose_Any_FindsASiloExactlyIfOneIsEligible() => Check((silos, request, choice) => choice is null == silos.All(silo =>
        silo.Draining
        || request.Holders.Contains(silo.Silo)
        || request.Failed.Contains(silo.Silo)
        || request.Required.Any(label => !silo.Labels.Contains(label))
        || silo.Capacity < request.Bytes));

    [Fact]
    public void Judge_Any_AgreesWithTheChoice() => Check((silos, request, choice) =>
    {
        var verdicts = PlacementPolicy.Judge(silos, request, Options).ToDictionary(static verdict => verdict.Silo);
        return verdicts.Count == silos.Length
            && verdicts.Values.All(static verdict => verdict.Reason.Length > 0 && (verdict.Fits || !verdict.IsCandidate))
            && verdicts.Values.Any(static verdict => verdict.Fits) == (choice is not null)
            && (choice is null || verdicts[choice.Silo.ToParsableString()].IsCandidate);
    });

    [Fact]
    public void Judge_SilosThatAreOut_SaysWhy()
    {
        SiloState[] silos =
        [
            Silo(0, 0, 0) with { Draining = true },
            Silo(1, 0, 0),
            Silo(2, 0, 0) with { Capacity = 50 },
            Silo(3, 0, 0) with { Disagrees = true },
            Silo(4, 0, 0),
            Silo(5, 0, 0) with { Used = 1000, OldestIdle = TimeSpan.FromSeconds(5) },
        ];

        var reasons = PlacementPolicy.Judge(silos, Request with { Holders = [Address(1)] }, Options).Select(static verdict => $"{verdict.Fits} {verdict.IsCandidate}: {verdict.Reason}");

        Assert.Equal(
            [
                "False False: draining",
                "False False: holding a replica already",
                "False False: smaller than the model",
                "False False: with another model repository than the others",
                "True True: has room, and is among the best",
                "True False: full, and others have room",
            ],
            reasons);
    }

    [Fact]
    public void Choose_SomeHaveRoom_TakesOneOfThem() => Check((silos, request, choice) =>
        choice is null || choice.Free >= request.Bytes || PlacementPolicy.Candidates(silos, request, Options).All(silo => silo.Free < request.Bytes));

    [Fact]
    public void Choose_PreferredHasRoom_TakesAPreferred() => Check((silos, request, choice) =>
    {
        var all = PlacementPolicy.Candidates(silos, request with { Preferred = [], Required = request.Required }, Options);
        var preferred = silos.Where(silo => silo.Free >= request.Bytes && request.Preferred.Any(silo.Labels.Contains)
            && PlacementPolicy.Choose([silo], request, Options, new Random(1)).Found);
        return all.Count == 0 || !preferred.Any() || request.Preferred.Any(choice!.Labels.Contains);
    });

    [Fact]
    public void Choose_AllFull_TakesOneWhoseOldestEntryIsAboutAsOld()
    {
        SiloState[] silos = [Full(0, 1000), Full(1, 920), Full(2, 880), Full(3, 10)];

        Assert.Equal([Address(0), Address(1)], Drawn(silos, Request));
    }

    [Fact]
    public void Choose_AllFull_PreferredWinsOnlyIfItIsNear()
    {
        SiloState[] near = [Full(0, 1000), Full(1, 800) with { Labels = ["near"] }];
        SiloState[] far = [Full(0, 1000), Full(1, 700) with { Labels = ["near"] }];
        var request = Request with { Preferred = ["near"] };

        Assert.Equal([Address(1)], Drawn(near, request));
        Assert.Equal([Address(0)], Drawn(far, request));
    }

    [Fact]
    public void Choose_Room_FewestCopiesThenMostFree()
    {
        SiloState[] silos = [Silo(0, 0, 60), Silo(1, 500, 20), Silo(2, 300, 20), Silo(3, 840, 20)];

        Assert.Equal([Address(1), Address(2)], Drawn(silos, Request));
        Assert.Equal(Address(2), PlacementPolicy.Candidates(silos, Request, Options)[0].Silo);
    }

    [Fact]
    public void Choose_ForLoad_LeavesOutTheBusy()
    {
        SiloState[] silos =
        [
            Silo(0, 0, 0) with { RequestsPerMinute = 1000 },
            Silo(1, 0, 0) with { RequestsPerMinute = 1090 },
            Silo(2, 0, 0) with { RequestsPerMinute = 1110 },
        ];

        Assert.Equal([Address(0), Address(1)], Drawn(silos, Request with { ForLoad = true }));
        Assert.Equal(3, Drawn(silos, Request).Count());
    }

    [Fact]
    public void Choose_SomeDisagreeAboutTheRepository_TakesThemOnlyWhenNoOtherCan()
    {
        var wrong = Silo(0, 0, 0) with { Disagrees = true };
        Assert.Equal([Address(1)], Drawn([wrong, Silo(1, 900, 50)], Request).Distinct());
        Assert.Equal([Address(0)], Drawn([wrong, Silo(1, 0, 0) with { Draining = true }], Request).Distinct());
    }

    [Fact]
    public void Choose_EquallyGood_SpreadsOverAll()
    {
        var silos = Enumerable.Range(0, 5).Select(index => Silo(index, 0, 0)).ToArray();

        Assert.Equal(5, Drawn(silos, Request).Count());
    }

    [Fact]
    public void Choose_NoSiloEligible_SaysWhy()
    {
        SiloState[] silos =
        [
            Silo(0, 0, 0) with { Draining = true },
            Silo(1, 0, 0),
            Silo(2, 0, 0) with { Labels = ["cpu"], Capacity = 99 },
            Silo(3, 0, 0) with { Draining = true },
        ];

        var choice = PlacementPolicy.Choose(silos, Request with { Required = ["cpu"] }, Options, new Random(1));

        Assert.False(choice.Found);
        Assert.Equal(
            "no silo can take model 'm' version 1, 100 bytes: of 4 there are 2 draining, 1 smaller than the model, 1 without the label 'cpu'", choice.Reason);
        Assert.EndsWith("none is known", PlacementPolicy.Choose([], Request, Options, new Random(1)).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_ModelForOpenVino_GoesWhereTheDeviceIs()
    {
        SiloState[] silos =
        [
            Silo(0, 0, 0),
            Silo(1, 0, 0) with { Devices = ["CPU"] },
            Silo(2, 0, 0) with { Devices = ["CPU", "GPU"] },
        ];

        Assert.Equal(silos[2].Silo, PlacementPolicy.Choose(silos, Request with { Device = "GPU" }, Options, new Random(1)).Silo);
        Assert.Equal([silos[1], silos[2]], PlacementPolicy.Candidates(silos, Request with { Device = "CPU" }, Options).OrderBy(static silo => silo.Devices.Count));
        Assert.Equal(
            "no silo can take model 'm' version 1, 100 bytes: of 3 there are 2 without OpenVINO's device 'NPU', 1 without OpenVINO and its device 'NPU'",
            PlacementPolicy.Choose(silos, Request with { Device = "NPU" }, Options, new Random(1)).Reason);
    }

    private static void Check(Func<SiloState[], PlacementRequest, SiloState?, bool> property) =>
        Prop.ForAll(AnySilos.ToArbitrary(), AnyRequest.ToArbitrary(), Gen.Choose(0, 10).ToArbitrary(), (silos, request, seed) =>
        {
            var choice = PlacementPolicy.Choose(silos, request, Options, new Random(seed));
            return property(silos, request, silos.FirstOrDefault(silo => silo.Silo.Equals(choice.Silo)));
        }).QuickCheckThrowOnFailure();

    /// <summary>Every silo that some random number leads to.</summary>
    private static IEnumerable<SiloAddress> Drawn(SiloState[] silos, PlacementRequest request) =>
        Enumerable.Range(0, 200)
            .Select(seed => PlacementPolicy.Choose(silos, request, Options, new Random(seed)).Silo!)
            .Distinct()
            .OrderBy(silo => silo.Endpoint.Port);

    private static SiloState Silo(int index, long used, int replicas) => new() { Silo = Address(index), Capacity = 1000, Used = used, Copies = replicas };

    private static SiloState Full(int index, int idleSeconds) => Silo(index, 950, 10) with { OldestIdle = TimeSpan.FromSeconds(idleSeconds) };

    private static SiloAddress Address(int index) => SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1000 + index), 1);
}
