using Cluster.Contracts.Serving;
using Cluster.Gateway.ModelMesh;
using Cluster.Unit.Serving;
using Xunit;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class ModelStatusesTests
{
    private static readonly DateTimeOffset Early = DateTimeOffset.FromUnixTimeMilliseconds(1000);
    private static readonly DateTimeOffset Late = DateTimeOffset.FromUnixTimeMilliseconds(2000);

    private static readonly VersionServingState Ready = States.Ready(1, 0, 2) with { Since = Early };
    private static readonly VersionServingState Failed = States.Unavailable(2, "garbage", failed: true) with { Since = Late };

    [Fact]
    public void Of_NothingKnown_IsNotLoaded() => Assert.Equal(Status.NotLoaded, ModelStatuses.Of(null).Status);

    [Fact]
    public void Of_Reasons_AreWishesOrErrors()
    {
        Assert.Equal(Status.NotLoaded, Of(States.Unavailable(1, ServingReasons.NotYetUsed)).Status);
        Assert.Equal(Status.NotLoaded, Of(States.Unavailable(1, ServingReasons.Unloaded)).Status);
        Assert.Equal(Status.Loading, Of(States.Loading(1), Failed).Status);
        Assert.Equal(Status.LoadingFailed, Of(Failed, States.Unavailable(1, ServingReasons.NotChosen)).Status);
    }

    [Fact]
    public void Of_OlderVersionServes_IsLoadedWithTheErrorOfTheNewer()
    {
        var status = Of(Failed, Ready);

        Assert.Equal(Status.Loaded, status.Status);
        Assert.Equal(["version 2: garbage"], status.Errors);
        Assert.Equal(
            [("", Status.LoadingFailed, 2000ul), (States.At(0).ToParsableString(), Status.Loaded, 1000ul), (States.At(2).ToParsableString(), Status.Loaded, 1000ul)],
            status.ModelCopyInfos.Select(replica => (replica.Location, replica.CopyStatus, replica.Time)));
    }

    [Fact]
    public void Of_SeveralFailures_NamesTheNewestFirst() => Assert.Equal(
        ["version 2: garbage", "version 3: older"],
        Of(States.Unavailable(3, "older", failed: true) with { Since = Early }, Failed).Errors);

    [Fact]
    public void Of_NewContentBeingLoaded_ShowsBothCopies() => Assert.Equal(
        [Status.Loaded, Status.Loading],
        Of(States.Ready(1, 0) with { Arriving = [new PlacedReplica(1, States.At(1))] }).ModelCopyInfos.Select(replica => replica.CopyStatus));

    [Fact]
    public void Of_ProblemOfTheModel_IsAFailure()
    {
        var status = ModelStatuses.Of(new ModelServingState("name", [], "there is no 'x'"));

        Assert.Equal(Status.LoadingFailed, status.Status);
        Assert.Equal(["there is no 'x'"], status.Errors);
    }

    private static Cluster.Contracts.Protocol.Mesh.ModelStatusInfo Of(params VersionServingState[] versions) =>
        ModelStatuses.Of(States.Model("name", versions));
}
