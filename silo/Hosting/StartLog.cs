using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Hosting;

/// <summary>
/// Keeps the host, the web server and Orleans, where that is the actor runtime, quiet until the start has succeeded. A start that fails ends the process with one line that says why. Both
/// would log the same before it, with a stack trace that helps no operator.
/// </summary>
internal sealed class StartLog
{
    private volatile bool _succeeded;

    public void AddTo(ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => _succeeded && level >= LogLevel.Information);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => _succeeded && level >= LogLevel.Warning);
        logging.AddFilter("Orleans", level => _succeeded && level >= LogLevel.Warning);
    }

    public void Succeeded() => _succeeded = true;
}
