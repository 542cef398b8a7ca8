using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>deploy/update with an engine that only notes what it is told: what follows when a new container does not start.</summary>
public sealed class UpdateScriptTests : IDisposable
{
    /// <summary>A container is a file SERVICE.ID that holds its state; the file `up` says what becomes of a service's next one.</summary>
    private const string Engine = """
        #!/usr/bin/env bash
        cd "$STATE"
        case "$1 $2" in
        "compose ps")
            for file in "$4".*; do
                [ ! -e "$file" ] || { [ "$3" = -q ] && ! grep -q running "$file"; } || echo "${file#*.}"
            done ;;
        "compose up")
            service=${!#}
            number=$(ls | wc -l)
            case $(cat "up.$service") in
            starts) echo 'running healthy' >"$service.new$number" ;;
            fails) echo 'created ' >"$service.new$number"; exit 1 ;;
            fails-once) echo 'created ' >"$service.new$number"; echo starts >"up.$service"; exit 1 ;;
            esac ;;
        "compose config") printf 'services:\n  gateway:\n    image: gateway:1\n' ;;
        "image inspect") [ -e image ] && echo new ;;
        "inspect --format")
            file=$(ls -- *."$4") || exit 1
            case $3 in *State*) cat "$file" ;; *Image*) echo "${4%%[0-9]*}" ;; *) echo 1 ;; esac ;;
        rm\ *) rm -f -- *."${!#}" ;;
        esac
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-update-");
    private readonly DirectoryInfo _state;

    public UpdateScriptTests()
    {
        Write("docker", Engine);
        _state = _folder.CreateSubdirectory("state");
        Write("state/silo.old1", "running healthy");
        Write("state/up.silo", "starts");
    }

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task NewSiloThatDoesNotStart_HaltsWithTheOldOnes()
    {
        Write("state/up.silo", "fails");

        var halted = await Assert.ThrowsAsync<InvalidOperationException>(RunAsync);

        Assert.Contains("0 of 1 silos have been replaced", halted.Message, StringComparison.Ordinal);
        Assert.Equal(["silo.old1"], Containers());
    }

    [Fact]
    public async Task NewGatewayThatDoesNotStart_GivesItsPlaceToTheOldImage()
    {
        Write("state/gateway.old2", "running healthy");
        Write("state/gateway.old3", "running healthy");
        Write("state/up.gateway", "fails-once");
        Write("state/image", "");

        var halted = await Assert.ThrowsAsync<InvalidOperationException>(RunAsync);

        Assert.Contains("0 of 2 gateways have been replaced", halted.Message, StringComparison.Ordinal);
        Assert.Equal(2, Containers().Count(static name => name.StartsWith("gateway.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task WithoutGateways_NeedsNoImageOfTheirs()
    {
        await RunAsync();

        Assert.DoesNotContain("silo.old1", Assert.Single(Containers()), StringComparison.Ordinal);
    }

    private async Task RunAsync()
    {
        await Command.RunAsync("chmod", ["+x", Path.Combine(_folder.FullName, "docker")]);
        await Command.RunAsync(Path.Combine(TestPaths.Root, "deploy", "update"), ["2"], environment: new Dictionary<string, string>
        {
            ["PATH"] = $"{_folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}",
            ["STATE"] = _state.FullName,
            ["GATEWAY_PAUSE"] = "0",
        });
    }

    private IEnumerable<string> Containers() =>
        _state.EnumerateFiles().Select(static file => file.Name).Where(static name => name.StartsWith("silo.", StringComparison.Ordinal) || name.StartsWith("gateway.", StringComparison.Ordinal));

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(_folder.FullName, name), content);
}
