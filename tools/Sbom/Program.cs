using System.Text.Json;
using Cluster.Sbom;

// cluster-sbom FOLDER PROGRAM: writes FOLDER/PROGRAM.cdx.json, about the files in FOLDER.
if (args is not [var folder, var program])
{
    Console.Error.WriteLine("usage: cluster-sbom FOLDER PROGRAM, where FOLDER has PROGRAM.deps.json");
    return 64;
}

var bill = SoftwareBill.Of(folder, program);
File.WriteAllText(Path.Combine(folder, program + ".cdx.json"), bill.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
return 0;
