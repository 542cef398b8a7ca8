namespace Cluster.Cli.Documents;

internal enum OutputFormat
{
    Table,
    Wide,
    Json,
    Yaml,
}
