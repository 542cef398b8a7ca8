namespace Cluster.Grains.Repository;

/// <summary>The repository cannot be used at all, found by the first scan. The message is for the person who starts the process.</summary>
public sealed class RepositoryConfigurationException : Exception
{
    public RepositoryConfigurationException()
    {
    }

    public RepositoryConfigurationException(string message)
        : base(message)
    {
    }

    public RepositoryConfigurationException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
