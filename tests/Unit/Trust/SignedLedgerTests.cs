using Cluster.Grains.Trust;
using Cluster.Silo.Trust;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Trust;

/// <summary>A signed version that is replaced by an older signed one.</summary>
public sealed class SignedLedgerTests : IDisposable
{
    private readonly TrustBench _bench = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));

    public SignedLedgerTests()
    {
        _bench.AddExternal("m", 1, 1, 2);
        _bench.AddExternal("m", 2, 3, 4);
        _bench.Options = new ModelTrustOptions { RequireSigned = true, Keys = _bench.Options.Keys, SignedLedger = Ledger };
        Sign();
    }

    private string Ledger => _bench["../ledger"];

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Read_AnOlderSignature_IsRefusedByEachSiloThatLoadedANewerOne()
    {
        var old = Files();
        _bench.Read("m").Dispose();
        Renew();
        _bench.Read("m").Dispose();
        _bench.Read("m", 2).Dispose();
        Restore(old);

        // A reader of its own each time, as after a restart.
        const string refused = "manifest.json was signed at 2026-01-01T12:00:00Z, and one that was signed at 2026-01-01T13:00:00Z has been loaded: an older one is not taken";
        Assert.Equal(refused, _bench.Refuse("m"));
        Assert.Equal(3, File.ReadAllLines(Ledger).Length);
        _bench.Options = new ModelTrustOptions { RequireSigned = true, Keys = _bench.Options.Keys };
        _bench.Read("m").Dispose();
    }

    [Fact]
    public void Read_TheSameSignature_IsLoadedAgainAndWrittenOnce()
    {
        var (reader, spec) = (_bench.NewReader(), _bench.Spec("m"));
        reader.Read("m", spec, CancellationToken.None).Dispose();
        reader.Read("m", spec, CancellationToken.None).Dispose();

        Assert.Equal(["""{"model":"m","version":1,"signed_at":"2026-01-01T12:00:00Z"}"""], File.ReadAllLines(Ledger));
    }

    /// <summary>A version whose files are wrong was not loaded: its signature does not keep the right one out.</summary>
    [Fact]
    public void Read_ANewerSignatureOfWrongFiles_IsNotPutDown()
    {
        var old = Files();
        Renew();
        _bench.Flip("m/1/w.bin", 0);
        Assert.Equal("file 'w.bin' is not the one that was signed", _bench.Refuse("m"));

        Restore(old);
        _bench.Read("m").Dispose();
    }

    /// <summary>A line without an end was not loaded from; what else is damaged may hide a newer signature.</summary>
    [Fact]
    public void Read_LedgerThatIsDamaged_IsRefused_AndOneThatWasCutGoesOn()
    {
        _bench.Read("m").Dispose();
        File.AppendAllText(Ledger, "{\"model\":\"m\",\"vers");
        _bench.Read("m", 2).Dispose();
        Assert.Equal(2, File.ReadAllLines(Ledger).Length);

        foreach (var damaged in new[] { "{}\n", "nothing\n", """{"model":"m","version":1,"signed_at":"yesterday"}""" + "\n", """{"model":"m","version":1,"signed_at":"2026-01-01T12:00:00Z","more":1}""" + "\n" })
        {
            File.WriteAllText(Ledger, damaged);
            Assert.StartsWith("the file of what this silo has loaded cannot be read", _bench.Refuse("m"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_LedgerThatCannotBeWritten_IsRefused()
    {
        _bench.Options = new ModelTrustOptions { RequireSigned = true, Keys = _bench.Options.Keys, SignedLedger = _bench["../nowhere/ledger"] };

        Assert.StartsWith("the file of what this silo has loaded cannot be written", _bench.Refuse("m"), StringComparison.Ordinal);
    }

    private void Sign(bool replace = false) => _ = ModelSigner.Sign(_bench["m"], null, _bench.KeyPath(KeyMaker.SigningKey), replace, _time).ToList();

    private void Renew()
    {
        _time.Advance(TimeSpan.FromHours(1));
        Sign(replace: true);
    }

    private Dictionary<string, byte[]> Files() => new[] { "m/1/manifest.json", "m/1/manifest.sig", "m/1/w.bin" }.ToDictionary(static name => name, name => File.ReadAllBytes(_bench[name]));

    private void Restore(Dictionary<string, byte[]> files)
    {
        foreach (var (name, bytes) in files)
        {
            _bench.Write(name, bytes);
        }
    }
}
